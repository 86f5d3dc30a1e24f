# Prints what is installed on the Windows node it runs on, for vulnscan.sh, in the lines that collector.sh describes:
#   os, arch and kernel as there, `hotfix  KB  INSTALLED_ON`, `win  NAME  VERSION  PUBLISHER`, and `end  N_LINES  -`.
# Reads only, and needs nothing that Windows Server 2012 R2 with PowerShell 4 does not have.
$ErrorActionPreference = 'Stop'

# What is left is ASCII, since Run Command does not hand on every character as it was.
function Join-Fields {
    ($args | ForEach-Object { "$_" -replace '[^\x20-\x7e]', '' }) -join "`t"
}

$system = Get-CimInstance -ClassName Win32_OperatingSystem
# UBR is the fourth part of the version, which every cumulative update raises.
$revision = (Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion').UBR
$version = "$($system.Version).$revision"
$pending = Test-Path -Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'
$reboot = ''
if ($pending) { $reboot = 'required' }

$lines = @()
$lines += Join-Fields 'os' 'windows' $version '' '' $system.Caption
$lines += Join-Fields 'arch' $env:PROCESSOR_ARCHITECTURE
$lines += Join-Fields 'kernel' $version $reboot
$lines += @(Get-HotFix | Sort-Object -Property HotFixID |
        ForEach-Object { Join-Fields 'hotfix' $_.HotFixID $(if ($_.InstalledOn) { $_.InstalledOn.ToString('yyyy-MM-dd') }) })
# Programs of 64 and of 32 bits. Win32_Product would ask the installer to check, and repair, each of them.
$uninstall = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*',
    'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*'
$lines += @(Get-ItemProperty -Path $uninstall -ErrorAction SilentlyContinue | Where-Object { $_.DisplayName } |
        ForEach-Object { Join-Fields 'win' $_.DisplayName $_.DisplayVersion $_.Publisher } | Sort-Object -Unique)

Write-Output 'ssm-inventory 1 plain'
Write-Output $lines
Write-Output (Join-Fields 'end' $lines.Count '-')
